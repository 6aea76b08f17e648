// `tidegate operations`: calls relayed to backends, and verdicts on those with an unknown outcome.
import type { Noun } from '../../verb.ts';
import { list } from './list.ts';
import { settle } from './settle.ts';
import { show } from './show.ts';

export const operations: Noun = { list, show, settle };
