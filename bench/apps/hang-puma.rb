# Puma's shortest: its workers report every five seconds. Its command line has no option for it.
worker_timeout 6
