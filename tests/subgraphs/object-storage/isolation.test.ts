// Another project's objects look nonexistent, at every root field and entity of object storage.
import { isolation } from '../support/isolation.ts';
import { objectStorage } from './contract.ts';

isolation(objectStorage);
