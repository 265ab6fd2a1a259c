//! What is fitted to rows, beside scikit-learn and brute force.
