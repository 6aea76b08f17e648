// The audit trail has no events: the page reads it again from time to time, and follows nothing.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [] };
