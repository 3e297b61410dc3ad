/**
 * Authors: users and their placeholders, their own tokens, and the attribution line.
 *
 * 1. An author without a user is recorded as a placeholder or as `null`, never as another user.
 * 2. Trouble with an author's token delays nothing: the account writes instead, and the ledger says why.
 */
export { attributionOf, authorOf } from "./attribution.ts";
export { createAuthorTokens, forgetRefused } from "./author-tokens.ts";
export { followLink, followUsers } from "./follow-links.ts";
