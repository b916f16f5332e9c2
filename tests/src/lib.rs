//! Golden cases, end-to-end tests, generators and toy services.
