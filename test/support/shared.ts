import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../../shared', import.meta.url));

/**
 * The folder with the large capture collection that lies beside a development checkout, or null where
 * the repository stands alone. Tests that need it skip: `describe.skipIf(shared === null)`.
 */
export const shared: string | null = existsSync(beside) ? beside : null;
