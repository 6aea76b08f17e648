// `tidegate clock`: the database's clock, and the trusted time used for deletions by age.
import type { Noun } from '../../verb.ts';
import { accept, show } from './trusted.ts';

export const clock: Noun = { show, accept };
