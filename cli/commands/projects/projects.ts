// `tidegate projects`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const projects = kindNoun('Project');
