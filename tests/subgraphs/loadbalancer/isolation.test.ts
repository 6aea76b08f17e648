// Another project's objects look nonexistent, at every root field and entity of the load balancer.
import { isolation } from '../support/isolation.ts';
import { loadBalancer } from './contract.ts';

isolation(loadBalancer);
