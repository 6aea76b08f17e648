// A cluster's answer about a container.
import { z } from 'zod';

export const containerShape = z.object({ name: z.string(), id: z.string(), option: z.string(), createdAt: z.string() });
export const pageShape = z.object({ containers: z.array(containerShape), next: z.string().nullable() });
