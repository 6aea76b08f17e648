// `tidegate projects`.
import { kindNoun } from '../../kinds/noun.ts';

export const projects = kindNoun('Project');
