"""trtcolor_train: trains, folds and exports the networks. The only package that imports torch."""
