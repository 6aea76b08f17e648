-- Credentials are sealed for their backend's address (form 2). Those that are there are not yet (form 1): `tidegate keys
-- reseal` seals them anew, and nothing else opens them.

ALTER TABLE `backend_credential` ADD COLUMN `form` TINYINT UNSIGNED NOT NULL DEFAULT 1;
