"""How an organisation offers the template: schema, portal entry, policy, index, new services."""
