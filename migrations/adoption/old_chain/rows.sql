-- tool usage of no account that exists, which it has to have
SELECT id, user_id FROM tool_usage_logs AS log
WHERE NOT EXISTS (SELECT FROM userbase WHERE userbase.id = log.user_id) ORDER BY id;

-- tool usage without a status, which it has to have
SELECT id FROM tool_usage_logs WHERE status IS NULL ORDER BY id;

-- changes of no supply item that exists, which they have to have
SELECT id, supply_item_id FROM supply_update_logs AS log
WHERE NOT EXISTS (SELECT FROM ai_supply_items AS item WHERE item.id = log.supply_item_id) ORDER BY id;
