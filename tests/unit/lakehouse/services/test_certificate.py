from lakehouse.services.certificate import Certificate
from lakehouse.services.service import Address
from lakehouse.text.placeholders import Issued


def test_it_is_for_every_name_by_which_the_service_is_called() -> None:
    made = Certificate.of("trino", "trino.internal", [Address("lakehouse.example", 8443), Address("127.0.0.1", 1)])
    assert made.names == ("trino.internal", "lakehouse.example", "127.0.0.1", "localhost")
    assert made.key == Issued("trino", "key", made.names)
    assert (made.chain.kept, made.authority.kept) == (
        "certificates/trino/certificate.pem",
        "certificates/authority/certificate.pem",
    )
