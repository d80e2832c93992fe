from django.db import migrations

# Who was merged has no name of its own any more, and belongs to where the one who stands for them does.
FUNCTION = """
CREATE OR REPLACE FUNCTION loyalty_are_of_a_demo(customers bigint[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM core_business WHERE is_demo) OR NOT EXISTS (
        SELECT FROM unnest(customers) AS c (id)
        WHERE NOT EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source = 'demo'){merged}
            OR EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source <> 'demo'))
$$"""
MERGED = """
            AND NOT EXISTS (
                SELECT FROM customers_merge m WHERE m.other_id = c.id AND m.into_id = ANY(customers))"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0021_programs_decide_on_adjustments"),
        ("customers", "0019_merges_of_customers"),
    ]

    operations = [
        migrations.RunSQL(FUNCTION.replace("{merged}", MERGED), FUNCTION.replace("{merged}", "")),
    ]
