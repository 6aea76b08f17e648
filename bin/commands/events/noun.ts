// `tidegate events`: status changes, those that were and those that come.
import type { Noun } from '../../cli/verb.ts';
import { follow } from './follow.ts';
import { list } from './list.ts';

export const events: Noun = { list, follow };
