-- API tokens know who made them: the user at the root of the tree, whose rights bound theirs, and the token that they were made
-- with. Those of before are brought to what now holds; no status event tells of it.

ALTER TABLE `api_token`
  ADD COLUMN `user_id` CHAR(36) NULL AFTER `created_by`,
  ADD COLUMN `parent_id` CHAR(36) NULL AFTER `user_id`,
  ADD COLUMN `maker_name` VARCHAR(63) NULL AFTER `parent_id`,
  ADD INDEX `api_token_working_idx` (`project_id`, `revoked_at`, `expires_at`);

UPDATE `api_token` t JOIN `user` u ON u.id = t.created_by SET t.user_id = u.id, t.maker_name = u.name;
UPDATE `api_token` t JOIN `api_token` p ON p.id = t.created_by SET t.parent_id = p.id, t.maker_name = p.name;

-- None outlives the one that it was made with.
UPDATE `api_token` t
  JOIN (
    WITH RECURSIVE tree (id, user_id, expires_at, revoked_at) AS (
      SELECT id, user_id, expires_at, revoked_at FROM `api_token` WHERE parent_id IS NULL
      UNION ALL
      SELECT c.id, p.user_id,
             IF(p.expires_at IS NULL OR c.expires_at < p.expires_at, c.expires_at, p.expires_at),
             COALESCE(c.revoked_at, p.revoked_at)
        FROM `api_token` c JOIN tree p ON c.parent_id = p.id
    )
    SELECT * FROM tree
  ) bound ON bound.id = t.id
   SET t.version = t.version + (NOT (t.expires_at <=> bound.expires_at AND t.revoked_at <=> bound.revoked_at)),
       t.user_id = bound.user_id, t.expires_at = bound.expires_at, t.revoked_at = bound.revoked_at
 WHERE t.parent_id IS NOT NULL;

-- None outlives its maker's membership.
UPDATE `api_token` t
  JOIN `user` u ON u.id = t.user_id AND u.admin = 0
  LEFT JOIN `membership` m ON m.user_id = u.id AND m.project_id = t.project_id
   SET t.version = t.version + 1, t.revoked_at = NOW(3)
 WHERE m.user_id IS NULL AND t.revoked_at IS NULL;
