"""Services as containers, created by Terraform's Docker provider."""
