// The parts that the gateway adds to each answer.
import { expect } from '@jest/globals';

/** The fields of each answer besides data and errors. */
export const answered = {
  extensions: { cost: { requested: expect.any(Number), limit: expect.any(Number) }, requestId: expect.any(String) },
};
