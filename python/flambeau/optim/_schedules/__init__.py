"""The schedulers of flambeau.optim.lr_scheduler, one family a file."""
