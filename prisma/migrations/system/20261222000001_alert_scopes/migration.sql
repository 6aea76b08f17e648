-- What is locked while the rules, channels or messages of a project, or of the installation, are counted. prisma/schema/system.prisma
-- says what the column is.

CREATE TABLE `alert_scope` (
  `scope` CHAR(36) NOT NULL,
  PRIMARY KEY (`scope`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
