-- Trino: the days of silver, each once. Run it again after silver has changed.
DELETE FROM lake.gold.daily WHERE date IN (SELECT date FROM lake.silver.minute_aggs);
INSERT INTO lake.gold.daily
SELECT ticker, date, MIN_BY(open, window_start), MAX(high), MIN(low), MAX_BY(close, window_start), SUM(volume)
FROM lake.silver.minute_aggs
GROUP BY ticker, date;
SELECT date, COUNT(*) AS tickers, SUM(volume) AS volume FROM lake.gold.daily GROUP BY date ORDER BY date;
