// Versions of settings have no events: the page reads its list again from time to time, and follows nothing.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [] };
