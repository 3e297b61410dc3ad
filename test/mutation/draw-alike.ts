/**
 * The gate says the same of a mutant each time: properties draw the same cases in every run of it.
 * The suite itself draws new ones.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: 1 });
