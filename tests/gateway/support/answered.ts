// What the gateway adds to each answer.
import { expect } from '@jest/globals';

/** What each answer has beside data and errors. */
export const answered = {
  extensions: { cost: { requested: expect.any(Number), limit: expect.any(Number) }, requestId: expect.any(String) },
};
