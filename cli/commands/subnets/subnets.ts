// `tidegate subnets`: the projects' own networks, which contain their nodes.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const subnets = kindNoun('ProjectSubnet');
