"""How an organisation sees the services that were made from the template."""
