// The gateway of own-gateway.ts in its own process.
import { answerParent } from '../../measure/child.ts';
import { startGateway } from './own-gateway.ts';

answerParent(startGateway);
