"""What an organisation does with the template: it offers it, and it looks after its services."""
