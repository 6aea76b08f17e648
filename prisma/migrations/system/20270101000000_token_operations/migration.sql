-- The operations that an API token may send, and the index by which the tokens of a user are found.

ALTER TABLE `api_token` ADD COLUMN `operation_hashes` TEXT NULL;
CREATE INDEX `api_token_user_idx` ON `api_token`(`user_id`);
