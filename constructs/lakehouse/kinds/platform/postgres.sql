-- Gives the database of a catalog's server, and the user that owns it, the names that the file has for them. A database
-- is known by its comment; one that an earlier version made has none, and the server's own name. A database of the
-- wanted name that no server has any more is taken over. `aside`: only leave a name that is not wanted any more.
CREATE FUNCTION pg_temp.rename(server text, own text, wanted text, owner text, aside boolean) RETURNS void AS $$
DECLARE
    away text := 'aside-' || md5(server);
    new_name text := CASE WHEN aside THEN away ELSE wanted END;
    new_owner text := CASE WHEN aside THEN away ELSE owner END;
    has record;
BEGIN
    SELECT datname AS name, pg_get_userbyid(datdba) AS owner INTO has
        FROM (SELECT datname, datdba, shobj_description(oid, 'pg_database') AS comment FROM pg_database) d
        WHERE comment = 'lakehouse ' || server OR comment IS NULL AND datname = own OR NOT aside AND datname = wanted
        ORDER BY comment IS DISTINCT FROM 'lakehouse ' || server, datname <> own LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    EXECUTE format('COMMENT ON DATABASE %I IS %L', has.name, 'lakehouse ' || server);
    IF has.name NOT IN (wanted, new_name) THEN
        EXECUTE format('ALTER DATABASE %I RENAME TO %I', has.name, new_name);
    END IF;
    IF has.owner NOT IN (owner, new_owner, 'postgres') THEN
        EXECUTE format('ALTER ROLE %I RENAME TO %I', has.owner, new_owner);
    END IF;
END
$$ LANGUAGE plpgsql;
