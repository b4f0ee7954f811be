"""What training can be for, a file a task; each is registered beside its class and found by its place here."""
