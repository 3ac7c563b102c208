"""What a run found, put together for those who must act on it: by owner, by channel, in money."""
