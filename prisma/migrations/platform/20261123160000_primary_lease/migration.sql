-- Until when this server is the primary, by its own clock. What keeps the servers writes it outside of the binary log, so that each has
-- its own. No row: nobody keeps a lease.
CREATE TABLE `db_lease` (
  `id` TINYINT UNSIGNED NOT NULL,
  `ends_at` DATETIME(6) NOT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
