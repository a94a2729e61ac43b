//! Starts, supervises and stops the services of a process. Knows nothing of Kubernetes.
