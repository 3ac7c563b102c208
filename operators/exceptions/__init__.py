"""What needs a person: one rule per code, a function of the facts; time and telling are the tracker's."""
