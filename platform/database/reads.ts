// Tells each statement that reads, also Prisma's, to whoever counts them: the tests, in the context of the reading request.
import { channel } from 'node:diagnostics_channel';

/** Messages: SQL. */
export const reads = channel('tidegate:database-read');
