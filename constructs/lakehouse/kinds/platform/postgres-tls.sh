# In a secure stack: the server's certificate. It refuses a key that others may read, as in the folder of a container.
key=$PWD/key.pem
case $(ls -l key.pem) in
    -rw-------*) ;;
    *)
        key=$(mktemp)
        cat key.pem >"$key"
        ;;
esac
set -- "$@" -c ssl=on -c ssl_min_protocol_version=TLSv1.3 -c ssl_cert_file="$PWD/certificate.pem" -c ssl_key_file="$key"
