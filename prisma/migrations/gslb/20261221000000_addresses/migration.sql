-- Names are found by the beginning of an address or host name of a member. prisma/schema/gslb.prisma says what each column is.

CREATE TABLE `gslb_member_address` (
  `member_id` CHAR(36) NOT NULL,
  `address` VARCHAR(255) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`member_id`, `address`),
  INDEX `gslb_member_address_idx` (`address`, `member_id`),
  INDEX `gslb_member_address_project_idx` (`project_id`, `address`, `member_id`),
  CONSTRAINT `gslb_member_address_member_fk` FOREIGN KEY (`member_id`) REFERENCES `gslb_pool_member` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT IGNORE INTO `gslb_member_address` (`member_id`, `address`, `project_id`)
SELECT m.id, a.address, m.project_id
FROM `gslb_pool_member` m, JSON_TABLE(m.spec, '$.addresses[*]' COLUMNS (address VARCHAR(255) PATH '$')) a
WHERE m.deleted_at IS NULL AND a.address IS NOT NULL;

INSERT IGNORE INTO `gslb_member_address` (`member_id`, `address`, `project_id`)
SELECT id, JSON_VALUE(spec, '$.cname'), project_id FROM `gslb_pool_member`
WHERE deleted_at IS NULL AND JSON_VALUE(spec, '$.cname') IS NOT NULL;
