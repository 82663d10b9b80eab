"""Who may do what: grants of lakehouse.yaml, and what they compile to. Pure: values in and values out."""
