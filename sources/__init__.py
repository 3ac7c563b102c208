"""The proper names: where events come from and how each sender writes them."""
