/**
 * How many times longer than on a quiet machine a test may wait before it fails: CI machines are slow and share their processors. No
 * test takes longer for it unless it fails. It is no factor for what a test sits out: that is `stretch`.
 */
export const patience = process.env.CI === undefined ? 1 : 5;

/** How many times longer leases, silences and other times of the product last in tests that wait for their end. */
export const stretch = process.env.CI === undefined ? 1 : 1.5;
