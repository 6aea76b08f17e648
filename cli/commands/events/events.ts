// `tidegate events`: past status changes, and the stream of new ones.
import type { Noun } from '../../verb.ts';
import { follow } from './follow.ts';
import { list } from './list.ts';
import { wait } from './wait.ts';

export const events: Noun = { list, follow, wait };
