"""Messages to customers: written down in the transaction of the change, sent by a worker, never forgotten."""
