// `tidegate cmp-objects`: what an object of the CMP became, in every subgraph.
import type { Noun } from '../../cli/verb.ts';
import { show } from './show.ts';

export const cmpObjects: Noun = { show };
