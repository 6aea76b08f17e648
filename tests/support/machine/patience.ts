/**
 * The factor by which a test may wait longer than on a quiet machine before it fails, because CI machines are slow and
 * share their processors. Only failing tests take longer because of it. It does not apply to times that a test sits
 * out: those use `stretch`.
 */
export const patience = process.env.CI === undefined ? 1 : 5;

/**
 * The factor by which leases, silence limits and other times of the product are longer in tests that wait for their
 * end.
 */
export const stretch = process.env.CI === undefined ? 1 : 1.5;
