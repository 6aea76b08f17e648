-- What clusters are told, in the order in which it was committed.

ALTER TABLE `object_federation` ADD COLUMN `generation` BIGINT UNSIGNED NOT NULL DEFAULT 0;

CREATE TABLE `object_document` (
  `name` VARCHAR(80) NOT NULL,
  `generation` BIGINT UNSIGNED NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`name`),
  UNIQUE INDEX `object_document_generation_key` (`generation`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
