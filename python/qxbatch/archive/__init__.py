"""The packet's last move, after every output of it is verified on disk."""
