"""Services as containers, placed by the Terraform Docker provider."""
