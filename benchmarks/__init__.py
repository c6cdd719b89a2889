"""What services, images and renders cost, measured beside what a user would take instead."""
