// `tidegate alerts`: conditions that need attention (docs/alerts.md). Rules and channels have verbs of their own.
import type { Noun } from '../../verb.ts';
import { acknowledge } from './acknowledge.ts';
import { end } from './end.ts';
import { list } from './list.ts';

export const alerts: Noun = { list, acknowledge, end };
