// `tidegate gslbs`.
import type { Noun } from '../../cli/verb.ts';
import { force } from './force.ts';
import { freeze } from './freeze.ts';
import { history } from './history.ts';
import { list } from './list.ts';
import { show } from './show.ts';

export const gslbs: Noun = { list, show, history, force, freeze };
