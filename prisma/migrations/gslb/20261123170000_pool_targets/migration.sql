-- Rises with each change of what is to be checked in a pool: conductors read only the targets of pools in which it did.
CREATE TABLE `gslb_pool_targets` (
  `pool_id` CHAR(36) NOT NULL,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  PRIMARY KEY (`pool_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
