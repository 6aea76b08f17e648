// `tidegate rings`: the distribution of data over the clusters of object storage, and its changes. Administrators only.
import type { Noun } from '../../verb.ts';
import { cancel, change, changes, pause, resume } from './change.ts';
import { list, preview } from './show.ts';

export const rings: Noun = { list, preview, change, changes, pause, resume, cancel };
