"""Python for those who release the template."""
